"""The commands around the dbt project, one module each."""
