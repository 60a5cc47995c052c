-- A sample shop of some 100,000 rows, made of arithmetic alone, so that each time it is the same.
-- Runs as administrator in an empty database, as one transaction. The role clerk, which is no administrator, works in it.

CREATE SCHEMA inventory;
COMMENT ON SCHEMA inventory IS 'What the shop sells, and where it lies';
CREATE SCHEMA sales;
COMMENT ON SCHEMA sales IS 'Who buys, what, and for how much';

-- Types ---------------------------------------------------------------------------------------------------------------

CREATE TYPE sales.order_status AS ENUM ('new', 'paid', 'shipped', 'delivered', 'returned', 'cancelled');
COMMENT ON TYPE sales.order_status IS 'The life of an order, in its order';
CREATE TYPE sales.address AS (street text, postcode text, city text, country char(2));
CREATE DOMAIN sales.email AS text CHECK (VALUE ~ '^[^@\s]+@[^@\s]+$');

-- Inventory -----------------------------------------------------------------------------------------------------------

CREATE TABLE inventory.categories (
    category_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent_id   integer REFERENCES inventory.categories ON DELETE RESTRICT,
    name        text NOT NULL UNIQUE
);
COMMENT ON TABLE inventory.categories IS 'A tree of categories; the top ones have no parent';

CREATE TABLE inventory.products (
    product_id  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku         varchar(12) NOT NULL CONSTRAINT products_sku_key UNIQUE,
    name        text NOT NULL,
    category_id integer NOT NULL REFERENCES inventory.categories,
    price       numeric(10, 2) NOT NULL CONSTRAINT products_price_positive CHECK (price > 0),
    cost        numeric(10, 2) NOT NULL CHECK (cost >= 0),
    margin      numeric(10, 2) GENERATED ALWAYS AS (price - cost) STORED,
    weight_kg   double precision,
    tags        text[] NOT NULL DEFAULT '{}',
    attributes  jsonb NOT NULL DEFAULT '{}',
    on_offer    daterange,
    thumbnail   bytea,
    discontinued boolean NOT NULL DEFAULT false,
    created_at  timestamp with time zone NOT NULL DEFAULT now(),
    updated_at  timestamp with time zone,
    CONSTRAINT products_price_covers_cost CHECK (price >= cost)
);
COMMENT ON TABLE inventory.products IS 'Everything the shop sells or has sold';
COMMENT ON COLUMN inventory.products.sku IS 'Stock keeping unit, as printed on the shelf';
COMMENT ON COLUMN inventory.products.margin IS 'What remains of the price: price - cost';
COMMENT ON COLUMN inventory.products.attributes IS 'What differs from product to product: colour, warranty, size';
CREATE INDEX products_category_price ON inventory.products (category_id, price DESC) INCLUDE (name);
CREATE INDEX products_tags ON inventory.products USING gin (tags);
CREATE INDEX products_attributes ON inventory.products USING gin (attributes jsonb_path_ops);
CREATE INDEX products_name_lower ON inventory.products (lower(name));

CREATE TABLE inventory.warehouses (
    warehouse_id smallint PRIMARY KEY,
    city         text NOT NULL,
    opens        time NOT NULL DEFAULT '07:30',
    network      cidr
);
COMMENT ON TABLE inventory.warehouses IS 'Where products lie';

CREATE TABLE inventory.stock (
    product_id   integer NOT NULL REFERENCES inventory.products ON DELETE CASCADE,
    warehouse_id smallint NOT NULL REFERENCES inventory.warehouses,
    on_hand      integer NOT NULL DEFAULT 0 CONSTRAINT stock_never_negative CHECK (on_hand >= 0),
    PRIMARY KEY (product_id, warehouse_id)
);
COMMENT ON TABLE inventory.stock IS 'How many pieces of a product lie in a warehouse now';

CREATE TABLE inventory.stock_movements (
    moved_at     timestamp with time zone NOT NULL,
    product_id   integer NOT NULL,
    warehouse_id smallint NOT NULL,
    quantity     integer NOT NULL CHECK (quantity <> 0),
    reason       text NOT NULL,
    FOREIGN KEY (product_id, warehouse_id) REFERENCES inventory.stock (product_id, warehouse_id)
) PARTITION BY RANGE (moved_at);
COMMENT ON TABLE inventory.stock_movements IS 'What came and went; one partition a year';
CREATE TABLE inventory.stock_movements_2025 PARTITION OF inventory.stock_movements
    FOR VALUES FROM ('2025-01-01 00:00+00') TO ('2026-01-01 00:00+00');
CREATE TABLE inventory.stock_movements_2026 PARTITION OF inventory.stock_movements
    FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2027-01-01 00:00+00');
CREATE TABLE inventory.stock_movements_other PARTITION OF inventory.stock_movements DEFAULT;
CREATE INDEX stock_movements_moved_at ON inventory.stock_movements USING brin (moved_at);

-- Sales ---------------------------------------------------------------------------------------------------------------

CREATE TABLE sales.customers (
    customer_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id    uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    name         text NOT NULL,
    email        sales.email NOT NULL,
    address      sales.address,
    birthday     date,
    newsletter   boolean NOT NULL DEFAULT false,
    credit_limit numeric(12, 2) NOT NULL DEFAULT 500.00 CHECK (credit_limit BETWEEN 0 AND 100000),
    joined_at    timestamp with time zone NOT NULL DEFAULT now()
);
COMMENT ON TABLE sales.customers IS 'Who has ever bought or signed up';
COMMENT ON COLUMN sales.customers.public_id IS 'The id that customers see; never the number';
CREATE UNIQUE INDEX customers_email ON sales.customers (lower(email));

CREATE TABLE sales.orders (
    order_id    bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES sales.customers,
    ordered_at  timestamp with time zone NOT NULL DEFAULT now(),
    status      sales.order_status NOT NULL DEFAULT 'new',
    promised    interval NOT NULL DEFAULT '3 days',
    coupon      text,
    CONSTRAINT orders_coupon_format CHECK (coupon ~ '^[A-Z]+-\d+$')
);
COMMENT ON TABLE sales.orders IS 'One row an order; what was bought stands in order_lines';
COMMENT ON COLUMN sales.orders.promised IS 'How long after the order it is to arrive';
CREATE INDEX orders_customer ON sales.orders (customer_id, ordered_at DESC) INCLUDE (status);
CREATE INDEX orders_open ON sales.orders (ordered_at) WHERE status IN ('new', 'paid');

CREATE TABLE sales.order_lines (
    order_id   bigint NOT NULL REFERENCES sales.orders ON DELETE CASCADE,
    line_no    smallint NOT NULL,
    product_id integer NOT NULL REFERENCES inventory.products ON UPDATE CASCADE,
    quantity   integer NOT NULL CHECK (quantity > 0),
    unit_price numeric(10, 2) NOT NULL,
    line_total numeric(12, 2) GENERATED ALWAYS AS (quantity * unit_price) STORED,
    PRIMARY KEY (order_id, line_no)
);
COMMENT ON TABLE sales.order_lines IS 'What was bought, at the price of that day';
CREATE INDEX order_lines_product ON sales.order_lines (product_id);

CREATE TABLE sales.payments (
    payment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id   bigint NOT NULL REFERENCES sales.orders,
    paid_at    timestamp with time zone NOT NULL,
    method     text NOT NULL CHECK (method IN ('card', 'invoice', 'transfer', 'voucher')),
    amount     numeric(12, 2) NOT NULL CHECK (amount <> 0)
);
COMMENT ON TABLE sales.payments IS 'Money that came in, or went back (negative)';
CREATE INDEX payments_order ON sales.payments (order_id);

-- Rows ----------------------------------------------------------------------------------------------------------------
-- "mixed" spreads neighbouring numbers; it depends on nothing but its arguments.

CREATE FUNCTION pg_temp.mixed(n bigint, salt bigint, range bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
    $$ SELECT ((n * 2654435761 + salt * 40503) % 4294967291 * 48271 % 2147483647) % range $$;

INSERT INTO inventory.categories (name) VALUES ('Kitchen'), ('Garden'), ('Office'), ('Travel'), ('Games');
INSERT INTO inventory.categories (parent_id, name)
SELECT parent.category_id, parent.name || ' / ' || child
FROM inventory.categories parent, unnest(ARRAY['Essentials', 'Gifts', 'Outlet']) child;

INSERT INTO inventory.products
    (sku, name, category_id, price, cost, weight_kg, tags, attributes, on_offer, thumbnail, discontinued, created_at)
SELECT
    'SKU-' || lpad(n::text, 5, '0'),
    (ARRAY['Blue', 'Folding', 'Compact', 'Classic', 'Nordic', 'Smart', 'Little', 'Grand'])[1 + pg_temp.mixed(n, 1, 8)] || ' '
        || (ARRAY['kettle', 'lamp', 'chair', 'backpack', 'notebook', 'puzzle', 'knife', 'umbrella', 'clock', 'Käseglocke'])
           [1 + pg_temp.mixed(n, 2, 10)] || ' ' || n,
    6 + pg_temp.mixed(n, 3, 15),
    (499 + pg_temp.mixed(n, 4, 19500)) / 100.0,
    (199 + pg_temp.mixed(n, 4, 19500) * 6 / 10) / 100.0,
    (50 + pg_temp.mixed(n, 5, 8000)) / 1000.0,
    ARRAY[(ARRAY['new', 'bestseller', 'eco', 'fragile'])[1 + pg_temp.mixed(n, 6, 4)],
          (ARRAY['indoor', 'outdoor'])[1 + pg_temp.mixed(n, 7, 2)]],
    jsonb_build_object('colour', (ARRAY['red', 'blue', 'green', 'black'])[1 + pg_temp.mixed(n, 8, 4)],
                       'warranty_years', pg_temp.mixed(n, 9, 6)),
    CASE WHEN n % 7 = 0 THEN daterange('2026-11-01', '2026-12-01') END,
    decode(lpad(to_hex(n), 8, '0'), 'hex'),
    n % 41 = 0,
    '2025-01-01 08:00+00'::timestamptz + n * interval '90 minutes'
FROM generate_series(1, 500) n;

INSERT INTO inventory.warehouses (warehouse_id, city, opens, network) VALUES
    (1, 'Hamburg', '06:00', '10.1.0.0/16'), (2, 'Zürich', '07:30', '10.2.0.0/16'), (3, 'Łódź', '07:00', NULL);
INSERT INTO inventory.stock (product_id, warehouse_id, on_hand)
SELECT product_id, warehouse_id, pg_temp.mixed(product_id * 3 + warehouse_id, 10, 250)
FROM inventory.products, inventory.warehouses;

INSERT INTO inventory.stock_movements (moved_at, product_id, warehouse_id, quantity, reason)
SELECT '2025-01-02 06:00+00'::timestamptz + n * interval '83 minutes',
       1 + pg_temp.mixed(n, 11, 500),
       1 + pg_temp.mixed(n, 12, 3),
       CASE WHEN n % 3 = 0 THEN 20 + pg_temp.mixed(n, 13, 80) ELSE -1 - pg_temp.mixed(n, 13, 9) END,
       CASE WHEN n % 3 = 0 THEN 'delivery' WHEN n % 50 = 1 THEN 'broken' ELSE 'sale' END
FROM generate_series(1, 10000) n;

INSERT INTO sales.customers (public_id, name, email, address, birthday, newsletter, credit_limit, joined_at)
SELECT md5('customer ' || n)::uuid,
       first || ' ' || last,
       lower(translate(first || '.' || last, 'éüøłñÅÖ ''', 'euolnao')) || n || '@example.com',
       ROW((1 + n % 120) || ' ' || (ARRAY['Main St', 'Harbour Rd', 'Rue du Lac', 'Lindenweg'])[1 + pg_temp.mixed(n, 14, 4)],
           lpad((10000 + pg_temp.mixed(n, 15, 89999))::text, 5, '0'),
           (ARRAY['Hamburg', 'Zürich', 'Łódź', 'Lyon', 'Oslo', 'Málaga'])[1 + city],
           (ARRAY['DE', 'CH', 'PL', 'FR', 'NO', 'ES'])[1 + city])::sales.address,
       CASE WHEN n % 5 > 0 THEN date '1950-01-01' + pg_temp.mixed(n, 16, 20000)::integer END,
       n % 3 = 0,
       (1 + pg_temp.mixed(n, 17, 50)) * 100,
       '2025-01-01 00:00+00'::timestamptz + pg_temp.mixed(n, 18, 600) * interval '1 day'
FROM (SELECT n,
             (ARRAY['Ada', 'Benoît', 'Chloé', 'Dov', 'Elif', 'Femi', 'Grace', 'Hiro', 'Ines', 'Jürgen', 'Łucja', 'Søren'])
                 [1 + pg_temp.mixed(n, 19, 12)] AS first,
             (ARRAY['Okafor', 'Nuñez', 'O''Brien', 'Schmidt', 'Tanaka', 'Åberg', 'Kowalska', 'Martin', 'van Dijk', 'Öztürk'])
                 [1 + pg_temp.mixed(n, 20, 10)] AS last,
             pg_temp.mixed(n, 21, 6) AS city
      FROM generate_series(1, 5000) n) made;

INSERT INTO sales.orders (customer_id, ordered_at, status, promised, coupon)
SELECT 1 + pg_temp.mixed(n, 22, 5000) * pg_temp.mixed(n, 23, 5000) / 5000,
       '2025-01-03 00:00+00'::timestamptz + n * interval '45 minutes' + pg_temp.mixed(n, 24, 2700) * interval '1 second',
       CASE WHEN n > 19900 THEN 'new'
            WHEN n > 19600 THEN (ARRAY['new', 'paid'])[1 + n % 2]
            WHEN n > 19200 THEN 'shipped'
            WHEN n % 37 = 0 THEN 'returned'
            WHEN n % 53 = 0 THEN 'cancelled'
            ELSE 'delivered' END::sales.order_status,
       (1 + pg_temp.mixed(n, 25, 9)) * interval '12 hours',
       CASE WHEN n % 11 = 0 THEN (ARRAY['SPRING-', 'HELLO-'])[1 + n % 2] || (n % 30) END
FROM generate_series(1, 20000) n;

INSERT INTO sales.order_lines (order_id, line_no, product_id, quantity, unit_price)
SELECT order_id, line_no, product_id, 1 + pg_temp.mixed(order_id * 7 + line_no, 26, 3), price
FROM (SELECT order_id, line_no, 1 + (pg_temp.mixed(order_id * 5 + line_no, 27, 500)
             * pg_temp.mixed(order_id * 5 + line_no, 28, 500) / 500)::integer AS wanted
      FROM sales.orders, generate_series(1, 5) line_no
      WHERE line_no <= 1 + pg_temp.mixed(order_id, 29, 5)) line
JOIN inventory.products ON product_id = wanted;

INSERT INTO sales.payments (order_id, paid_at, method, amount)
SELECT order_id, ordered_at + interval '1 hour' * (1 + pg_temp.mixed(order_id, 30, 72)),
       (ARRAY['card', 'card', 'invoice', 'transfer', 'voucher'])[1 + pg_temp.mixed(order_id, 31, 5)], total
FROM sales.orders
JOIN (SELECT order_id, sum(line_total) AS total FROM sales.order_lines GROUP BY order_id) lines USING (order_id)
WHERE status IN ('paid', 'shipped', 'delivered', 'returned');
INSERT INTO sales.payments (order_id, paid_at, method, amount)
SELECT order_id, paid_at + interval '9 days', method, -amount
FROM sales.payments JOIN sales.orders USING (order_id) WHERE status = 'returned';

-- Views ---------------------------------------------------------------------------------------------------------------

CREATE VIEW sales.order_overview AS
SELECT o.order_id, o.ordered_at, o.status, c.name AS customer, (c.address).country AS country,
       count(l.line_no) AS lines, sum(l.line_total) AS total
FROM sales.orders o
JOIN sales.customers c USING (customer_id)
LEFT JOIN sales.order_lines l USING (order_id)
GROUP BY o.order_id, c.customer_id;
COMMENT ON VIEW sales.order_overview IS 'An order with its customer and its total';

CREATE MATERIALIZED VIEW sales.monthly_revenue AS
SELECT date_trunc('month', o.ordered_at AT TIME ZONE 'UTC')::date AS month, count(DISTINCT o.order_id) AS orders,
       sum(l.line_total) AS revenue
FROM sales.orders o JOIN sales.order_lines l USING (order_id)
WHERE o.status NOT IN ('cancelled', 'returned')
GROUP BY 1;
COMMENT ON MATERIALIZED VIEW sales.monthly_revenue IS 'Revenue by month; refreshed by hand';
CREATE UNIQUE INDEX monthly_revenue_month ON sales.monthly_revenue (month);

-- Functions, procedures, a trigger ------------------------------------------------------------------------------------

CREATE FUNCTION sales.customer_value(customer_id bigint) RETURNS numeric LANGUAGE sql STABLE AS
$$ SELECT coalesce(sum(amount), 0) FROM sales.payments JOIN sales.orders o USING (order_id)
   WHERE o.customer_id = customer_value.customer_id $$;
COMMENT ON FUNCTION sales.customer_value(bigint) IS 'What a customer has paid so far, returns taken off';

CREATE FUNCTION sales.best_sellers(since date DEFAULT '2025-01-01', top integer DEFAULT 10)
RETURNS TABLE (sku varchar, name text, pieces bigint, revenue numeric) LANGUAGE sql STABLE AS
$$ SELECT p.sku, p.name, sum(l.quantity), sum(l.line_total)
   FROM sales.order_lines l JOIN sales.orders o USING (order_id) JOIN inventory.products p USING (product_id)
   WHERE o.ordered_at >= since
   GROUP BY p.product_id ORDER BY 4 DESC, 1 LIMIT top $$;
COMMENT ON FUNCTION sales.best_sellers(date, integer) IS 'The products that brought the most since a day';

CREATE FUNCTION inventory.find_product(sku varchar) RETURNS SETOF inventory.products LANGUAGE sql STABLE AS
$$ SELECT * FROM inventory.products p WHERE p.sku = find_product.sku $$;
CREATE FUNCTION inventory.find_product(category_id integer, at_most numeric DEFAULT 50)
RETURNS SETOF inventory.products LANGUAGE sql STABLE AS
$$ SELECT * FROM inventory.products p WHERE p.category_id = find_product.category_id AND p.price <= at_most $$;

CREATE FUNCTION inventory.stock_level(product_id integer, OUT pieces bigint, OUT warehouses integer) LANGUAGE sql STABLE AS
$$ SELECT coalesce(sum(on_hand), 0), count(*) FILTER (WHERE on_hand > 0)
   FROM inventory.stock s WHERE s.product_id = stock_level.product_id $$;

CREATE PROCEDURE sales.place_order(
    IN customer_id bigint, IN sku varchar, IN quantity integer DEFAULT 1,
    INOUT order_id bigint DEFAULT NULL, INOUT total numeric DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
    product inventory.products;
BEGIN
    SELECT * INTO product FROM inventory.products p WHERE p.sku = place_order.sku AND NOT p.discontinued;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no product % to buy', place_order.sku USING HINT = 'See inventory.products.';
    END IF;
    INSERT INTO sales.orders (customer_id) VALUES (place_order.customer_id) RETURNING orders.order_id INTO order_id;
    INSERT INTO sales.order_lines (order_id, line_no, product_id, quantity, unit_price)
    VALUES (place_order.order_id, 1, product.product_id, place_order.quantity, product.price)
    RETURNING line_total INTO total;
    RAISE NOTICE 'Order %: % x %', order_id, place_order.quantity, product.name;
END $$;
COMMENT ON PROCEDURE sales.place_order IS 'Order one product for a customer; gives back the order''s number and total';

CREATE PROCEDURE inventory.restock(IN sku varchar, IN warehouse_id smallint, IN quantity integer, INOUT on_hand integer DEFAULT NULL)
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE inventory.stock s SET on_hand = s.on_hand + restock.quantity
    FROM inventory.products p
    WHERE p.sku = restock.sku AND s.product_id = p.product_id AND s.warehouse_id = restock.warehouse_id
    RETURNING s.on_hand INTO on_hand;
END $$;
COMMENT ON PROCEDURE inventory.restock IS 'Put pieces of a product into a warehouse; gives back how many lie there now';

CREATE FUNCTION inventory.note_update() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
CREATE TRIGGER products_note_update BEFORE UPDATE ON inventory.products
    FOR EACH ROW EXECUTE FUNCTION inventory.note_update();
COMMENT ON TRIGGER products_note_update ON inventory.products IS 'Keeps updated_at true';

-- The role that the demo works as -------------------------------------------------------------------------------------

DO $$ BEGIN
    CREATE ROLE clerk LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
GRANT USAGE ON SCHEMA inventory, sales TO clerk;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA inventory, sales TO clerk;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA inventory, sales TO clerk;

ANALYZE;
