"""Other ways to answer the same questions, as their users would write them."""
