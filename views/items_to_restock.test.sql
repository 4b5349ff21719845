--@test: an article is to be restocked while open orders want more than there is
INSERT INTO inventory (sku, quantity, reason) VALUES ('mug', 5, 'delivery');
INSERT INTO orders (order_id, customer_id, status, items)
  VALUES ('o-1', 'c-1', 'placed', ARRAY[STRUCT(sku := 'mug', quantity := 4), STRUCT(sku := 'cap', quantity := 1)]);
ASSERT VALUES items_to_restock (sku, orders, wanted, on_hand, missing) VALUES ('cap', 1, 1, 0, 1);
INSERT INTO orders (order_id, customer_id, status, items)
  VALUES ('o-2', 'c-2', 'placed', ARRAY[STRUCT(sku := 'mug', quantity := 3)]);
ASSERT VALUES items_to_restock (sku, orders, wanted, on_hand, missing) VALUES ('mug', 2, 7, 5, 2);

--@test: it leaves when enough was delivered, or an order is cancelled
INSERT INTO orders (order_id, customer_id, status, items)
  VALUES ('o-1', 'c-1', 'placed', ARRAY[STRUCT(sku := 'mug', quantity := 4), STRUCT(sku := 'cap', quantity := 1)]);
ASSERT VALUES items_to_restock (sku, missing) VALUES ('mug', 4);
ASSERT VALUES items_to_restock (sku, missing) VALUES ('cap', 1);
INSERT INTO inventory (sku, quantity, reason) VALUES ('mug', 4, 'delivery');
ASSERT NULL VALUES items_to_restock (sku) KEY ('mug');
INSERT INTO orders (order_id, customer_id, status, items)
  VALUES ('o-1', 'c-1', 'cancelled', ARRAY[STRUCT(sku := 'mug', quantity := 4), STRUCT(sku := 'cap', quantity := 1)]);
ASSERT NULL VALUES items_to_restock (sku) KEY ('cap');
