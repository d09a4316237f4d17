"""Large models of other people, in a process of their own."""
