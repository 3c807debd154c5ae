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

    private final Link link;

    SparkLook(Link link) {
        this.link = link;
    }

    @Override
    public void run() {
        long pause = BEFORE;
        while (true) {
            try {
                TimeUnit.MILLISECONDS.sleep(pause);
                Thread spark = schedulerThread();
                if (spark != null && look(spark.getContextClassLoader())) {
                    pause = AFTER;
                }
            } catch (Throwable notToday) {
                // a Spark that we do not know, or memory is short: the driver does not care
                pause = AFTER;
            }
        }
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
