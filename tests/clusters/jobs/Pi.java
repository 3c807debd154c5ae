// SPDX-License-Identifier: Apache-2.0

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** Pi on executors: Pi SLICES [fail]. Says on which hosts its tasks ran. */
public class Pi {
    public static void main(String[] arguments) throws Exception {
        int slices = Integer.parseInt(arguments[0]);
        try (JavaSparkContext context = new JavaSparkContext(new SparkConf().setAppName("pi"))) {
            List<Integer> points = new ArrayList<>();
            for (int i = 0; i < 1000 * slices; i++) {
                points.add(i);
            }
            long inside = context.parallelize(points, slices).filter(point -> {
                double x = Math.random(), y = Math.random();
                return x * x + y * y <= 1;
            }).count();
            System.out.println("Pi is roughly " + 4.0 * inside / points.size());
            System.out.println("tasks ran on " + context.parallelize(points, slices)
                .map(point -> InetAddress.getLocalHost().getHostName()).distinct().collect());
            if (arguments.length > 1 && arguments[1].equals("fail")) {
                throw new IllegalStateException("failed on purpose");
            }
        }
    }
}
