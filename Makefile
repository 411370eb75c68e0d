# make demo: convert a checkpoint, run both programs on pictures, show the verdict. make test: all tests. make exam: the harness
# against every known bug, into docs/exam.md. make messages: brings the Chinese of the pages up to date with the code. All set up
# .venv from pinned versions first and need nothing but Python (3.10 to 3.13).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_OUT ?= demo_out
READY := $(VENV)/.ready

.PHONY: demo test exam lint messages clean

$(READY): pyproject.toml constraints.txt ci/setup.sh
	PYTHON=$(PYTHON) VENV=$(VENV) bash ci/setup.sh
	@touch $(READY)

demo: $(READY)
	$(BIN)/parity demo --out $(DEMO_OUT) $(DEMO_ARGS)

test: $(READY)
	$(BIN)/python -m pytest tests parity $(TEST_ARGS)

exam: $(READY)
	$(BIN)/python -m pytest parity --exam --exam-table docs/exam.md $(TEST_ARGS)

lint: $(READY)
	$(BIN)/ruff check .

messages: $(READY)
	$(BIN)/python ci/messages.py

clean:
	rm -rf $(VENV) $(DEMO_OUT)
