"""Why two programs differ: each line that was found is righted alone, all but it, and all; what each does is measured."""
