"""Training scripts as users write them, with the three lines of the doctor; `parity.doctor.exam.blind` runs them."""
