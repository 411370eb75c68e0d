"""The exam of verdicts: small pairs, written as users write them, that are the same computation or are not.

program.py    what is written down: a torch program, its right port, the mistakes to be made in it
programs/     the programs, by area
truth.py      the labels, checked by hand: both sides run with the same numbers, without the harness
sitting.py    one pair through the public command, in a process of its own
draws.py      healthy programs with dropout on, drawn at random
run.py        all of them, and the page that says how it went
"""
