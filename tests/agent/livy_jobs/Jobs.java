// SPDX-License-Identifier: Apache-2.0
// Binary jobs as a client of Livy has them, and a program that serializes them with Livy's own
// classes: one line for each, its name and its bytes in base64.
package jobs;

import java.io.FileOutputStream;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.apache.livy.Job;
import org.apache.livy.JobContext;
import org.apache.livy.client.common.BufferUtils;
import org.apache.livy.client.common.Serializer;

public class Jobs {
    /** Runs on executors, which must have this class too. */
    public static class Sum implements Job<Long> {
        private final int count;

        public Sum(int count) {
            this.count = count;
        }

        @Override
        public Long call(JobContext context) throws Exception {
            List<Integer> numbers = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                numbers.add(i);
            }
            final long factor = 10;
            return context.sc().parallelize(numbers, 2).map(n -> n * factor).reduce(Long::sum);
        }
    }

    public static class Context implements Job<ArrayList<String>> {
        @Override
        public ArrayList<String> call(JobContext context) throws Exception {
            ArrayList<String> found = new ArrayList<>();
            found.add(context.sc().sc().applicationId());
            org.apache.spark.sql.SparkSession session = context.sparkSession();
            found.add(String.valueOf(session.sql("SELECT 1").count()));
            found.add(String.valueOf(context.sqlctx().sparkSession() == session));
            found.add(String.valueOf(context.hivectx()));
            found.add(String.valueOf(context.getLocalTmpDir().isDirectory()));
            context.createStreamingContext(1000);
            found.add(String.valueOf(context.streamingctx().sparkContext().sc() == context.sc().sc()));
            context.stopStreamingCtx();
            context.setSharedObject("shared", "kept");
            return found;
        }
    }

    public static class Shared implements Job<String> {
        @Override
        public String call(JobContext context) {
            return context.getSharedObject("shared");
        }
    }

    public static class Nothing implements Job<Void> {
        @Override
        public Void call(JobContext context) {
            return null;
        }
    }

    public static class Fails implements Job<Void> {
        @Override
        public Void call(JobContext context) {
            throw new IllegalStateException("this job fails");
        }
    }

    public static class SleepsInDriver implements Job<Void> {
        @Override
        public Void call(JobContext context) throws Exception {
            try (FileOutputStream gate = new FileOutputStream(System.getProperty("jobs.gate"))) {
                gate.write('1');
            }
            try {
                Thread.sleep(600_000);
            } catch (InterruptedException interrupted) {
                System.setProperty("jobs.sleeps", "interrupted");
            }
            return null;
        }
    }

    public static class SleepsOnExecutor implements Job<Long> {
        @Override
        public Long call(JobContext context) throws Exception {
            List<Integer> numbers = new ArrayList<>();
            numbers.add(600_000);
            return context.sc().parallelize(numbers, 1).filter(n -> {
                Thread.sleep(n);
                return true;
            }).count();
        }
    }

    public static void main(String[] arguments) {
        Map<String, Object> objects = new LinkedHashMap<>();
        for (Object job : new Object[] {new Sum(5), new Context(), new Shared(), new Nothing(),
                                        new Fails(), new SleepsInDriver(), new SleepsOnExecutor()}) {
            objects.put(job.getClass().getSimpleName(), job);
        }
        objects.put("100", 100L);
        objects.put("kept", "kept");
        Serializer serializer = new Serializer();
        objects.forEach((name, object) -> System.out.println(name + " " + Base64.getEncoder()
            .encodeToString(BufferUtils.toByteArray(serializer.serialize(object)))));
    }
}
