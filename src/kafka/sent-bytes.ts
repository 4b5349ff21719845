/**
 * The client makes one record batch of all that goes to a partition, and brokers take 1,048,588 bytes of it by default
 * (`max.message.bytes`): so less is sent at once. Counted by `recordBytes`; headers that are added when it is sent find room.
 */
export const SENT_BYTES = 800_000;
