"""Files -> their texts and facts: looked up where they are known, extracted by several processes where it pays."""
