// SPDX-License-Identifier: Apache-2.0

// Runs statements of kind spark inside the JVM. The session agent has the interpreter itself
// compile this text, so that it serves Scala 2.12 and 2.13 and no jar has to be shipped. See
// sparkhost_scala.py; what code and values look like is in sparkhost_scala_text.scala.

package sparkhost

import java.io.{FileOutputStream, OutputStream, PrintStream, StringWriter}

import scala.tools.nsc.interpreter.IMain
import scala.util.DynamicVariable

import org.apache.spark.sql.SparkSession
import org.json4s.JsonAST.JValue

/** What the names that statements begin with refer to. */
object Bound {
  @volatile var spark: SparkSession = null
}

/** Writes where this thread's value says: the threads of statements, and those that they start,
  * write into their output, all others, Spark's own among them, where they always did. */
final class OwnStream(stream: DynamicVariable[PrintStream]) extends OutputStream {
  override def write(byte: Int): Unit = stream.value.write(byte)
  override def write(bytes: Array[Byte], from: Int, count: Int): Unit =
    stream.value.write(bytes, from, count)
  override def flush(): Unit = stream.value.flush()
}

final class Streams(outPath: String, errPath: String) {
  private val (out, err) =
    (new DynamicVariable(System.out), new DynamicVariable(System.err))
  private val (ownOut, ownErr) =
    (printer(new FileOutputStream(outPath)), printer(new FileOutputStream(errPath)))
  System.setOut(printer(new OwnStream(out)))
  System.setErr(printer(new OwnStream(err)))

  private def printer(to: OutputStream) = new PrintStream(to, true, "UTF-8")

  def print(text: String): Unit = ownOut.print(text)

  def around(body: => Unit): Unit = out.withValue(ownOut)(err.withValue(ownErr)(
    Console.withOut(ownOut)(Console.withErr(ownErr)(body))))
}

/** The thread that runs statements, one at a time. It lives on, as what code has stored in it must,
  * until it has to be stopped. */
final class Runner(around: (=> Unit) => Unit) extends Thread("sparkhost-scala") {
  private var task: () => Unit = null
  private var isBusy = false
  @volatile private var isStopped = false
  setDaemon(true)
  start()

  override def run(): Unit = around {
    while (!isStopped) {
      next().apply()
      synchronized { isBusy = false; notifyAll() }
    }
  }

  private def next(): () => Unit = synchronized {
    while (task == null) wait()
    val taken = task
    task = null
    taken
  }

  def isUsable: Boolean = isAlive && !isStopped

  /** Waits for its end, or for that of the thread. */
  def call(one: () => Unit): Unit = synchronized {
    task = one
    isBusy = true
    notifyAll()
    while (isBusy && isAlive) wait()
  }

  private def runsStatement = getStackTrace.exists(_.getClassName.startsWith("$line"))

  /** Throws into the code of a statement, not into the compiler: that would be left in pieces.
    * Java has taken the means away in version 20. */
  def throwInto(): Unit = if (runsStatement) {
    isStopped = true
    try classOf[Thread].getMethod("stop").invoke(this)
    catch { case _: ReflectiveOperationException => isStopped = false }
  }
}

/** What becomes of a statement: status is "ok", "error" or "incomplete"; kind a MIME type where it
  * is ok and else the error's name. */
final class Outcome(val status: String, val kind: String, val text: String) {
  /** For one answer to be enough. */
  override def toString: String = s"$status\n$kind\n$text"
}

/** `maxSize`: of what a magic shows, in characters. */
final class Repl(main: IMain, written: StringWriter, outPath: String, errPath: String,
                 maxSize: Int) {
  // at the first statement: before, the agent has not yet taken them over
  private lazy val streams = new Streams(outPath, errPath)
  private val reader = new Reader(main)
  private val isNew = scala.util.Properties.versionNumberString.startsWith("2.13")
  private var places = Map.empty[String, Place]
  private var runner: Runner = null
  private var isRunning = false
  val compiler = new java.util.concurrent.locks.ReentrantLock

  /** Runs a statement on the thread for it; gives an Outcome's text. */
  def run(code: String, group: String, description: String): String = {
    val thread = synchronized {
      if (runner == null || !runner.isUsable) runner = new Runner(streams.around(_))
      isRunning = true
      runner
    }
    @volatile var outcome: Outcome = null
    thread.call { () =>
      try {
        Thread.currentThread.setContextClassLoader(main.classLoader)
        Bound.spark.sparkContext.setJobGroup(group, description, true)
        outcome = statement(code)
      } catch {
        case error: Throwable => outcome = new Outcome("error", "Error", error.toString + "\n")
      } finally over()
    }
    over()
    Option(outcome).getOrElse(new Outcome("error", "Error", "java.lang.ThreadDeath\n")).toString
  }

  /** From here on nothing interrupts the thread. */
  private def over(): Unit = synchronized {
    isRunning = false
    Thread.interrupted()
  }

  def interrupt(byForce: Boolean): Unit = synchronized {
    if (isRunning) {
      runner.interrupt()
      if (byForce) runner.throwInto()
    }
  }

  /** Code that is ours: shows nothing, counts nothing. */
  def prepare(code: String): String = {
    val (isDone, text) = interpret(code)
    if (isDone) "" else text
  }

  private val magic = "%(\\w+)\\W*(.*)".r

  private sealed trait Part
  private case class Lines(segments: List[Segment]) extends Part
  private case class Magic(name: String, value: String) extends Part

  /** Where a line with a magic is not inside of something; None where the end is missing. */
  private def parts(lines: List[String], line: Int): Option[List[Part]] = {
    def until(count: Int) = lines.take(count).mkString("\n")
    def isMagic(text: String) = text.trim match { case magic(_, _) => true; case _ => false }
    val at = lines.indices.find(at => isMagic(lines(at)) && reader.parse(until(at)).nonEmpty)
    val code = until(at.getOrElse(lines.size))
    reader.parse(code).flatMap { parsed =>
      val segments = parsed.fold(
        _ => List(Segment(code, line, Nil)), // the interpreter says what is wrong
        trees => reader.segments(code, line, trees))
      at match {
        case None => Some(List(Lines(segments)))
        case Some(index) =>
          val magic(name, value) = lines(index).trim
          parts(lines.drop(index + 1), line + index + 1).map(
            Lines(segments) :: Magic(name, value.stripSuffix("`").trim) :: _)
      }
    }
  }

  private def statement(code: String): Outcome = {
    compiler.lock()
    try parts(code.split("\r?\n").toList, 0) match {
      case None => new Outcome("incomplete", "", "")
      case Some(all) => inOrder(all)
    } finally compiler.unlock()
  }

  private def inOrder(parts: List[Part]): Outcome = {
    var last = new Outcome("ok", "text/plain", "")
    val steps = parts.iterator.flatMap {
      case Lines(segments) => segments.iterator.map(one => () => segment(one))
      case Magic(name, value) => Iterator(() => magic(name, value))
    }
    while (steps.hasNext && last.status == "ok") {
      if (last.kind == "text/plain") streams.print(last.text)
      last = steps.next().apply()
    }
    last
  }

  private def segment(one: Segment): Outcome = {
    val (isDone, text) = interpret(one.code)
    if (isDone) {
      val request = main.lastRequest
      val names = one.names ++ List(main.mostRecentVar).filter(_.matches("res\\d+"))
      places ++= names.map(name => name -> new Place(request.fullPath(name)))
      new Outcome("ok", "text/plain", if (isNew) Echo(relocated(text, one.line), names) else text)
    } else {
      new Outcome("error", "Error", if (isNew) relocated(text, one.line) else text)
    }
  }

  private def relocated(text: String, line: Int) = Messages.relocated(text, line)

  private def interpret(code: String): (Boolean, String) = {
    // 2.13 says nothing of the place of what is in the first line
    val lines = if (isNew) "\n" + code else code
    def ask() = {
      written.getBuffer.setLength(0)
      main.interpret(lines)
    }
    val result = try ask() catch {
      case pieces: AssertionError if !hasBegun(pieces) => ask()
    }
    (result.toString == "Success", written.toString)
  }

  /** An interrupted statement can have left the compiler in pieces, for the loader of its classes
    * asks it for names: the next code then fails before it has begun, and what follows is as ever. */
  private def hasBegun(error: Throwable) =
    error.getStackTrace.exists(_.getMethodName.contains("loadAndRunReq"))

  private def magic(name: String, value: String): Outcome = try {
    (name, places.get(value)) match {
      case ("json" | "table", None) =>
        new Outcome("error", "NameError", s"Value $value does not exist")
      case ("json", Some(place)) => shown("application/json", json(place))
      case ("table", Some(place)) =>
        shown("application/vnd.livy.table.v1+json", Shown.table(json(place)))
      case _ => new Outcome("error", "UnknownMagic", s"Unknown magic command $name")
    }
  } catch {
    case _: Shown.TypesDiffer =>
      new Outcome("error", "TypeError", "table rows have different types")
    case error: Exception if !error.isInstanceOf[InterruptedException] =>
      new Outcome("error", "ValueError", "Failed to convert value into a JSON value")
  }

  private def shown(kind: String, value: JValue) = {
    val text = Shown.text(value)
    if (text.length <= maxSize) new Outcome("ok", kind, text)
    else new Outcome("error", "ValueError",
      s"The value has ${text.length} characters as JSON; at most $maxSize can be shown")
  }

  private def json(place: Place) = Shown.json(place.value(main.classLoader))
}
