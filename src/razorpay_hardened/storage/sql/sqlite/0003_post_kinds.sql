-- After the last process of version 2 has gone: nothing of its own is left to take away. A script needs a statement.

SELECT 1;
