"""The warehouse on DuckLake: a catalog in PostgreSQL, Parquet files on a shared disk or S3.

What the folder's modules do with a private file and publications is done here with transactions of
the lake: several machines write and read the same tables, through the same SQL.
"""
