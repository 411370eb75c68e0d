"""Numbers, with numpy alone: how far two arrays are apart, what one rounding is, how large a distance still is noise."""
