// SPDX-License-Identifier: Apache-2.0
package io.sparkhost.guard;

import java.util.concurrent.TimeUnit;

/**
 * Looks for the SparkContext of this JVM, by reflection, and tells its application's id. A thread
 * of its own: Spark may hold the lock that getActive takes for as long as a context is being made.
 */
final class SparkLook implements Runnable {
    /**
     * There from the middle of a context's construction to its stop. Before that Spark is left
     * alone: classes that two threads initialise in different orders wait for each other for ever.
     */
    private static final String SIGN = "dag-scheduler-event-loop";

    private static final long BEFORE = 200;  // milliseconds between looks until there is a context
    private static final long AFTER = 2000;  // later: another one may take its place
    private static final long LAST_LIMIT = TimeUnit.SECONDS.toNanos(1);

    private final Link link;
    private boolean wanted;  // a look at once, for main is over
    private boolean done;    // this one

    SparkLook(Link link) {
        this.link = link;
    }

    @Override
    public void run() {
        long pause = BEFORE;
        while (true) {
            try {
                boolean last = rest(pause);
                try {
                    Thread spark = schedulerThread();
                    if (spark != null && look(spark.getContextClassLoader())) {
                        pause = AFTER;
                    }
                } finally {
                    if (last) {
                        lastDone();
                    }
                }
            } catch (Throwable notToday) {
                // a Spark that we do not know, or memory is short: the driver does not care
                pause = AFTER;
            }
        }
    }

    /**
     * Main is over, and the process may be gone at once: a context that is younger than the last look
     * is still told of. Waits a moment for that, for Spark may hold its lock.
     */
    synchronized void last() {
        wanted = true;
        notifyAll();
        long deadline = System.nanoTime() + LAST_LIMIT;
        try {
            while (!done && deadline - System.nanoTime() > 0) {
                TimeUnit.NANOSECONDS.timedWait(this, deadline - System.nanoTime());
            }
        } catch (InterruptedException meant) {
            Thread.currentThread().interrupt();
        }
    }

    /** True: main is waiting for the look that follows. */
    private synchronized boolean rest(long pause) throws InterruptedException {
        if (!wanted) {
            TimeUnit.MILLISECONDS.timedWait(this, pause);
        }
        boolean last = wanted;
        wanted = false;
        return last;
    }

    private synchronized void lastDone() {
        done = true;
        notifyAll();
    }

    /** Unlike Thread.getAllStackTraces this stops no thread. */
    private static Thread schedulerThread() {
        ThreadGroup group = Thread.currentThread().getThreadGroup();
        while (group.getParent() != null) {
            group = group.getParent();
        }
        Thread[] threads = new Thread[group.activeCount() * 2 + 16];
        int count = group.enumerate(threads, true);
        for (int i = 0; i < count; ++i) {
            if (threads[i].getName().equals(SIGN)) {
                return threads[i];
            }
        }
        return null;
    }

    private boolean look(ClassLoader loader) throws ReflectiveOperationException {
        Class<?> companion = Class.forName("org.apache.spark.SparkContext$", true, loader);
        Object module = companion.getField("MODULE$").get(null);
        Object context = value(companion.getMethod("getActive").invoke(module));
        if (context == null) {
            return false;
        }
        Object id = context.getClass().getMethod("applicationId").invoke(context);
        Object url = value(context.getClass().getMethod("uiWebUrl").invoke(context));
        if (!(id instanceof String) || ((String) id).isEmpty()) {
            return false;
        }
        link.application((String) id, url instanceof String ? (String) url : "");
        return true;
    }

    /** Of a scala.Option; null where it is empty. */
    private static Object value(Object option) throws ReflectiveOperationException {
        boolean there = (Boolean) option.getClass().getMethod("isDefined").invoke(option);
        return there ? option.getClass().getMethod("get").invoke(option) : null;
    }
}
