--@test: words are counted without case, empty ones are not
INSERT INTO text_lines (line) VALUES ('To be  or not to BE');
ASSERT VALUES word_counts (word, occurrences) VALUES ('to', 2);
ASSERT VALUES word_counts (word, occurrences) VALUES ('be', 2);
ASSERT VALUES word_counts (word, occurrences) VALUES ('or', 1);
ASSERT VALUES word_counts (word, occurrences) VALUES ('not', 1);
INSERT INTO text_lines (line) VALUES ('be');
ASSERT VALUES word_counts (word, occurrences) VALUES ('be', 3);
