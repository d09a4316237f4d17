"""The parts of the Overview: results of a family, their rows, the scatter, the table."""
