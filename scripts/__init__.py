"""Commands around the dbt project: generate, load, build, publish and report."""
