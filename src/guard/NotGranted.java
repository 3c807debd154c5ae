// SPDX-License-Identifier: Apache-2.0
package io.sparkhost.guard;

/** This driver is not the one that may run the user's code; the message says why. */
final class NotGranted extends Exception {
    private static final long serialVersionUID = 1;

    NotGranted(String why) {
        super(why);
    }
}
