// SPDX-License-Identifier: Apache-2.0
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Calls spark-submit's main class once for each line of standard input, in one JVM; words of a line
 *  are separated by U+001F. */
public class Submissions {
    public static void main(String[] arguments) throws Exception {
        String text = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        for (String line : text.split("\n")) {
            String[] words = line.split("\u001f", -1);
            System.setProperty("sparkhost.case", words[0]);
            org.apache.spark.deploy.SparkSubmit.main(Arrays.copyOfRange(words, 1, words.length));
        }
    }
}
