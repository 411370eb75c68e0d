"""`parity convert`: checkpoints of a pair's networks carried over by `weights_convert`, checked, tried in one forward, shown.

`networks` what the converter needs to know of a pair; `convert` the ways; `against` a conversion made by hand, checked;
`forward` one forward of both sides; `show` all that in tables.
"""
