// SPDX-License-Identifier: Apache-2.0
package jobs;

import org.apache.livy.Job;
import org.apache.livy.JobContext;
import org.apache.spark.SparkFiles;

import java.io.FileOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;

/** What the walk lets the session do. */
public final class Jobs {
    private Jobs() {}

    /** Sums squares on executors. */
    public static final class Squares implements Job<Long> {
        private final int count;

        public Squares(int count) {
            this.count = count;
        }

        @Override
        public Long call(JobContext context) {
            List<Long> numbers = new ArrayList<>();
            for (long number = 1; number <= count; ++number) {
                numbers.add(number);
            }
            return context.sc().parallelize(numbers, 2).map(number -> number * number)
                .reduce((one, other) -> one + other);
        }
    }

    /** Fails with this text. */
    public static final class Failing implements Job<String> {
        private final String text;

        public Failing(String text) {
            this.text = text;
        }

        @Override
        public String call(JobContext context) {
            throw new IllegalStateException(text);
        }
    }

    /** Says that it has begun, and works in tasks until it is cancelled. */
    public static final class Endless implements Job<Long> {
        private final String begun;

        public Endless(String begun) {
            this.begun = begun;
        }

        @Override
        public Long call(JobContext context) {
            List<Integer> one = new ArrayList<>();
            one.add(1);
            String path = begun;
            return context.sc().parallelize(one, 1).map(number -> {
                try (FileOutputStream gate = new FileOutputStream(path)) {
                    gate.write('x');
                }
                Thread.sleep(600_000);
                return number;
            }).count();
        }
    }

    /** Reads a file that was given to the session. */
    public static final class Reading implements Job<String> {
        private final String name;

        public Reading(String name) {
            this.name = name;
        }

        @Override
        public String call(JobContext context) throws Exception {
            return new String(Files.readAllBytes(Paths.get(SparkFiles.get(name))),
                StandardCharsets.UTF_8);
        }
    }

    /** Counts its own runs in an object of the session. */
    public static final class Counting implements Job<Integer> {
        @Override
        public Integer call(JobContext context) {
            Integer seen;
            try {
                seen = context.getSharedObject("runs");
            } catch (java.util.NoSuchElementException first) {
                seen = 0;
            }
            context.setSharedObject("runs", seen + 1);
            return seen + 1;
        }
    }

    /** Asks Spark SQL. */
    public static final class Query implements Job<Long> {
        @Override
        public Long call(JobContext context) throws Exception {
            org.apache.spark.sql.SparkSession spark = context.sparkSession();
            return spark.sql("select sum(id) from range(5)").head().getLong(0);
        }
    }
}
