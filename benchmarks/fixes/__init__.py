"""Are the fixes right? All of them, applied to copies of released packages."""
