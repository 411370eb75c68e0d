"""Training scripts as users write them, each with the three lines of the doctor; `parity.doctor.exam.blind` changes and runs them."""
