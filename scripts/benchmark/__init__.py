"""`python -m scripts benchmark`: how long the project's steps take, beside a floor and rivals."""
