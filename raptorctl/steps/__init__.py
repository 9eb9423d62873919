"""Steps: reversible acts as frozen data. Each says what, on what and why."""
