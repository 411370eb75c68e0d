"""The doctor's exam: faults put into three programs, healthy runs of the same, and what the doctor said to each."""
