"""Many projects checked one by one, each in a process of its own, here or on a cluster, and one report on all."""
