-- Lines of text whose words are counted.
CREATE STREAM text_lines (
  line STRING
) WITH (KAFKA_TOPIC = 'text-lines', VALUE_FORMAT = 'JSON');
