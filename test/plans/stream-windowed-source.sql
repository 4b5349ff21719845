CREATE STREAM hot AS SELECT device, value, raw FROM readings WHERE value > 30;
