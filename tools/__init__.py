"""What this repository needs beside the program and its tests."""
