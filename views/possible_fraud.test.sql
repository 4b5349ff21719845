-- Run with: npx millrace test
--@test: the fourth attempt within five seconds is possible fraud
INSERT INTO authorization_attempts (ROWTIME, card_number, amount) VALUES (1000, '4111', 10.00);
INSERT INTO authorization_attempts (ROWTIME, card_number, amount) VALUES (2000, '4111', 20.00);
INSERT INTO authorization_attempts (ROWTIME, card_number, amount) VALUES (2500, '5500', 99.00);
INSERT INTO authorization_attempts (ROWTIME, card_number, amount) VALUES (3000, '4111', 30.00);
INSERT INTO authorization_attempts (ROWTIME, card_number, amount) VALUES (4999, '4111', 40.00);
ASSERT VALUES possible_fraud (card_number, WINDOWSTART, WINDOWEND, KSQL_COL_0) VALUES ('4111', 0, 5000, 4);

--@test: attempts in two windows are counted apart
INSERT INTO authorization_attempts (ROWTIME, card_number) VALUES (4000, '4111');
INSERT INTO authorization_attempts (ROWTIME, card_number) VALUES (4500, '4111');
INSERT INTO authorization_attempts (ROWTIME, card_number) VALUES (5000, '4111');
INSERT INTO authorization_attempts (ROWTIME, card_number) VALUES (5500, '4111');
INSERT INTO authorization_attempts (ROWTIME, card_number) VALUES (6000, '4111');
INSERT INTO authorization_attempts (ROWTIME, card_number) VALUES (9999, '4111');
ASSERT VALUES possible_fraud (card_number, WINDOWSTART, KSQL_COL_0) VALUES ('4111', 5000, 4);
