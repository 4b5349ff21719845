-- The words of all lines, one row each, in lower case. A derived stream: it is not stored, only passed on.
CREATE STREAM words AS
SELECT EXPLODE(SPLIT(LCASE(line), ' ')) AS word
FROM text_lines;
