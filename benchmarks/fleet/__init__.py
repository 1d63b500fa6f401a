"""What `loopsafe fleet` costs over a thousand projects, and whether kills change its report."""
