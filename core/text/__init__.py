"""Vietnamese text as people type it: cleaning, folding, words; and its embedding."""
