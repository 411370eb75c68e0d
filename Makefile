# make demo: convert a checkpoint, run both programs on pictures, show the verdict. make unit: the tests of seconds. make test: all
# but sweeps. make nightly: sweeps too. make exam: the harness against every known bug, into docs/exam.md. make mutants: the tests
# against faults in the harness's core. make gallery: public models of both worlds, into docs/gallery.md. make messages: brings the
# Chinese of the pages up to date with the code. make reference: docs/reference.md. make docs: the site, into
# site/. All set up .venv from pinned versions first and need nothing but Python (3.10 to 3.13).
PYTHON ?= python3
VENV := .venv
GALLERY := .venv-gallery
BIN := $(VENV)/bin
DEMO_OUT ?= demo_out
READY := $(VENV)/.ready
WORKERS ?= auto
# As many processes as cores, each of one thread: torch and Paddle share their cores badly with anybody, and with themselves.
# The quickest tests come last (tests/unit), so that no core waits long for the other.
TESTS := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup

.PHONY: demo unit test nightly exam gallery mutants lint messages docs reference clean

$(READY): pyproject.toml constraints.txt ci/setup.sh
	PYTHON=$(PYTHON) VENV=$(VENV) bash ci/setup.sh
	@touch $(READY)

demo: $(READY)
	$(BIN)/parity demo --out $(DEMO_OUT) $(DEMO_ARGS)

unit: $(READY)
	$(BIN)/python -m pytest tests/unit $(TEST_ARGS)

test: $(READY)
	$(TESTS) -m "not slow" parity tests $(TEST_ARGS)

nightly: $(READY)
	$(TESTS) parity tests --seeds 3 --draws 100 $(TEST_ARGS)

exam: $(READY)
	$(BIN)/python -m pytest parity --exam --exam-table docs/exam.md $(TEST_ARGS)

gallery: $(GALLERY)/.ready
	OMP_NUM_THREADS=1 PYTHONWARNINGS=ignore $(GALLERY)/bin/python -m exams.gallery.run --out docs/gallery.md $(GALLERY_ARGS)

$(GALLERY)/.ready: $(READY) exams/gallery/setup.sh exams/gallery/stand_ins.py
	VENV=$(VENV) GALLERY=$(GALLERY) bash exams/gallery/setup.sh
	@touch $@

mutants: $(READY)
	$(BIN)/python -m exams.mutation

lint: $(READY)
	$(BIN)/ruff check .

messages: $(READY)
	$(BIN)/python ci/messages.py

docs: reference
	$(BIN)/pip install --quiet --disable-pip-version-check 'mkdocs-material>=9.5'
	$(BIN)/mkdocs build --strict

reference: $(READY)
	$(BIN)/python ci/reference.py

clean:
	rm -rf $(VENV) $(GALLERY) $(DEMO_OUT)
