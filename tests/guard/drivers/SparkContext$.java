// SPDX-License-Identifier: Apache-2.0
package org.apache.spark;

public class SparkContext$ {
    static {
        System.out.println("Spark is initialised by " + Thread.currentThread().getName());
    }

    public static final SparkContext$ MODULE$ = new SparkContext$();
    volatile SparkContext active;

    public SparkContext.Option getActive() {
        return new SparkContext.Option(active);
    }
}
