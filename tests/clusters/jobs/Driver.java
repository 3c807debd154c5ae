// SPDX-License-Identifier: Apache-2.0

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * A driver without Spark, for what is about drivers. Does its arguments one after the other: print
 * TEXT, error TEXT, mark FILE (a line more in it), open FIFO (whoever reads it goes on), wait FIFO,
 * lines COUNT, throw TEXT, exit CODE; and context NAME, for YARN, which counts no program as
 * successful that has never had a SparkContext.
 */
public class Driver {
    public static void main(String[] arguments) throws Exception {
        Deque<String> words = new ArrayDeque<>(Arrays.asList(arguments));
        while (!words.isEmpty()) {
            step(words.pop(), words.pop());
        }
    }

    private static void step(String what, String with) throws Exception {
        switch (what) {
            case "print" -> System.out.println(with);
            case "error" -> System.err.println(with);
            case "mark" -> Files.writeString(Path.of(with), ProcessHandle.current().pid() + "\n",
                StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            case "open" -> Files.writeString(Path.of(with), "x", StandardOpenOption.WRITE);
            case "wait" -> Files.newInputStream(Path.of(with)).read();
            case "lines" -> {
                for (int i = 0; i < Integer.parseInt(with); i++) {
                    System.err.println("line " + i);
                }
            }
            case "context" -> new JavaSparkContext(new SparkConf().setAppName(with));
            case "throw" -> throw new IllegalStateException(with);
            case "exit" -> System.exit(Integer.parseInt(with));
            default -> throw new IllegalArgumentException(what);
        }
    }
}
