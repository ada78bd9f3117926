"""Adapters to the queues that people have: Celery, Dramatiq, RQ. Each makes one job of :meth:`Razorpay.work`.

In: the application's queue, and its :class:`Razorpay`. Out: a job that does a bounded amount of work, one of them on
its way soon after news has committed, and what the queue's scheduler needs to run it from time to time.

The rows are in the store, and the store is what is asked: a job carries no data, so that one which is lost, doubled or
late changes nothing but how soon handlers run. Nothing of a queue is imported before its adapter is called.

- ``celery`` ``dramatiq`` ``rq``   ``attach(…)`` of each
- ``_wake``                        one job on its way, and not one for each delivery
- ``_job``                         what a job does
"""
