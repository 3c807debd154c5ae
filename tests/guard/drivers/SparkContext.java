// SPDX-License-Identifier: Apache-2.0
package org.apache.spark;

/** As much of Spark's as the guard looks at, with its names and shapes. */
public class SparkContext {
    private final String id;
    private final String url;

    private SparkContext(String id, String url) {
        this.id = id;
        this.url = url;
    }

    public static void begin(String id, String url) {
        SparkContext$.MODULE$.active = new SparkContext(id, url);
    }

    public String applicationId() {
        return id;
    }

    public Option uiWebUrl() {
        return new Option(url);
    }

    public static class Option {
        private final Object value;

        Option(Object value) {
            this.value = value;
        }

        public boolean isDefined() {
            return value != null;
        }

        public Object get() {
            return value;
        }
    }
}
