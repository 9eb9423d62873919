"""All of the checks as stages: run side by side, recorded, and written up in docs/lab.md."""
