# The front door. On a machine with python3 and pip only, `make demo` and `make test` set up all they need in .venv.
PYTHON ?= python3
IN := .venv/bin

.PHONY: help demo demo-salesforce demo-pipedrive psql test test-long lint bench bench-target bench-tap-hubspot bench-tap-salesforce bench-tap-pipedrive bench-tap-csv-github wheels docs constraints clean setup setup-dev

help:           ## what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

setup:
	@$(PYTHON) dev/setup.py

setup-dev:
	@$(PYTHON) dev/setup.py --dev

demo: setup     ## the main job: fake CRMs -> their taps -> target-crmdb -> one embedded Postgres; HubSpot's twice
	@$(IN)/python dev/demo.py

demo-salesforce demo-pipedrive: setup ## one CRM alone, read twice
	@$(IN)/python dev/demo.py $(@:demo-%=%)

psql: setup     ## look at what the demo left in its Postgres
	@$(IN)/python dev/demo.py psql

test: setup-dev ## the tests, on the embedded Postgres and every other one found
	@$(IN)/python -m pytest -n auto --dist loadfile -m "not long"

test-long: setup-dev ## the tests with their longer sweeps
	@$(IN)/python -m pytest --hypothesis-profile=new

lint: setup-dev ## ruff and mypy --strict
	@$(IN)/ruff check .
	@$(IN)/ruff format --check .
	@$(IN)/python dev/typecheck.py

bench: setup-dev ## benchmarks beside other tools, as ratios
	@$(IN)/python bench/run.py

bench-target: setup-dev ## the same for the target alone
	@$(IN)/python bench/target.py

bench-tap-hubspot: setup-dev ## tap-hubspot beside an ideal client and other taps
	@$(IN)/python bench/tap_hubspot.py

bench-tap-salesforce: setup-dev ## tap-salesforce beside a bare client and other taps
	@$(IN)/python bench/tap_salesforce.py

bench-tap-pipedrive: setup-dev ## tap-pipedrive beside an ideal client and singer-io's tap
	@$(IN)/python bench/tap_pipedrive.py

bench-tap-csv-github: setup-dev ## tap-csv-github beside Python's own reader and another tap
	@$(IN)/python bench/tap_csv_github.py

wheels: setup-dev ## build the wheels into dist/ and try them as a stranger would
	@$(IN)/uv build --quiet --wheel --all-packages --out-dir dist
	@$(IN)/python -m pytest -q tests/end_to_end/test_packages.py

docs: setup-dev ## write the settings tables and meltano.yml from the code
	@$(IN)/python dev/settings.py

constraints: setup-dev ## resolve the pins anew
	@$(IN)/python dev/constraints.py

clean:          ## remove the demo's own data
	@$(PYTHON) dev/clean.py
