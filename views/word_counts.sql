-- How often each word was seen. Every change is also written to the topic word-counts.
CREATE TABLE word_counts WITH (KAFKA_TOPIC = 'word-counts') AS
SELECT word, COUNT(*) AS occurrences
FROM words
WHERE word <> ''
GROUP BY word;
