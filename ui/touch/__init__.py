"""The touchscreen. Kivy is imported below this package and nowhere else."""
