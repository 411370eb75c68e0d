"""Many independent runs, on the cores here or on a Dask cluster."""
