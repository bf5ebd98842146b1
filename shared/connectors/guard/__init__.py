"""The guard round a connector: deadline, limits, circuit and repetition. The connectors themselves know none of it."""
