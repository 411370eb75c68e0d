"""Training scripts as users write them, with the three lines of the doctor; `exams.doctor.blind` runs them."""
