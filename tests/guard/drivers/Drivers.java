// SPDX-License-Identifier: Apache-2.0

import java.nio.file.Files;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What users' programs do. Each that is loaded leaves a file behind. */
class Drivers {
    static void loaded() {
        try {
            Files.write(Paths.get("loaded"), new byte[] {'x'}, StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (java.io.IOException failure) {
            throw new IllegalStateException(failure);
        }
    }

    /** Waits until the test opens the gate. */
    static void pass(String gate) throws Exception {
        Files.newInputStream(Paths.get(gate)).read();
    }

    static boolean eventually(java.util.function.BooleanSupplier holds) {
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (!holds.getAsBoolean() && System.nanoTime() < deadline) {
            Thread.yield();
        }
        return holds.getAsBoolean();
    }

    static class Say {
        static {
            loaded();
        }

        public static void main(String[] arguments) {
            System.out.println(Arrays.asList(arguments));
            System.out.println(Thread.currentThread().getName() + " "
                    + Say.class.getClassLoader().equals(Thread.currentThread().getContextClassLoader()));
        }
    }

    static class Exit {
        static {
            loaded();
        }

        public static void main(String[] arguments) {
            System.exit(Integer.parseInt(arguments[0]));
        }
    }

    static class Fail {
        public static void main(String[] arguments) {
            try {
                deeper();
            } catch (IllegalStateException cause) {
                throw new IllegalArgumentException("no \"luck\" \u00fc", cause);
            }
        }

        static void deeper() {
            throw new IllegalStateException("the cause");
        }
    }

    static class FailAtFirst {
        static final int NUMBER = Integer.parseInt("none");

        public static void main(String[] arguments) {}
    }

    static class Mute extends RuntimeException {
        @Override
        public String getMessage() {
            throw new IllegalStateException("no message either");
        }

        public static void main(String[] arguments) {
            throw new Mute();
        }
    }

    static class Greedy {
        public static void main(String[] arguments) {
            List<long[]> all = new ArrayList<>();
            while (true) {
                all.add(new long[100_000]);
            }
        }
    }

    static class NoMain {
        public void main(String[] arguments) {}
    }

    static class Gated {
        static {
            loaded();
        }

        public static void main(String[] arguments) throws Exception {
            pass(arguments[0]);
            System.out.println("passed");
        }
    }

    /** Whether the guard's thread ends. */
    static class Alone {
        public static void main(String[] arguments) throws Exception {
            pass(arguments[0]);
            System.out.println(eventually(() -> {
                Thread[] all = new Thread[Thread.activeCount() + 8];
                int count = Thread.enumerate(all);
                return Arrays.stream(all, 0, count).noneMatch(one -> one.getName().equals("sparkhost-guard"));
            }));
        }
    }

    /** Main returns, and the program goes on. */
    static class Threads {
        public static void main(String[] arguments) {
            new Thread(() -> {
                try {
                    pass(arguments[0]);
                } catch (Exception failure) {
                    System.out.println(failure);
                }
                System.out.println("the thread is over");
            }).start();
        }
    }

    static class Rude {
        public static void main(String[] arguments) throws Exception {
            Thread[] all = new Thread[Thread.activeCount() + 8];
            int count = Thread.enumerate(all);
            for (int i = 0; i < count; ++i) {
                if (all[i] != Thread.currentThread()) {
                    all[i].interrupt();
                }
            }
            System.out.println(eventually(() ->
                    Arrays.stream(all, 0, count).noneMatch(Thread::isInterrupted)));
            pass(arguments[0]);
            Thread.currentThread().interrupt();
        }
    }

    /** As Spark does it: threads first, then a context, then another. */
    static class WithSpark {
        public static void main(String[] arguments) throws Exception {
            pass(arguments[0]);
            begin();
            pass(arguments[1]);
            org.apache.spark.SparkContext.begin("app-2", "http://driver:4040");
            pass(arguments[2]);
        }

        static void begin() {
            Thread scheduler = new Thread(() -> {
                try {
                    Thread.sleep(Long.MAX_VALUE);
                } catch (InterruptedException over) {
                    System.out.println(over);
                }
            }, "dag-scheduler-event-loop");
            scheduler.setDaemon(true);
            org.apache.spark.SparkContext.begin("app-1", null);
            scheduler.start();
        }
    }

    /** Its end comes right after its context. */
    static class BriefWithSpark {
        public static void main(String[] arguments) {
            WithSpark.begin();
            if (arguments.length > 0) {
                throw new IllegalStateException(arguments[0]);
            }
        }
    }
}
