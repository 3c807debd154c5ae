// SPDX-License-Identifier: Apache-2.0

// How code of kind spark is read, and how values, definitions and errors look. The session agent
// has Scala's interpreter compile this text, before sparkhost_scala.scala.

package sparkhost

import java.util.regex.Pattern.quote

import scala.reflect.internal.util.BatchSourceFile
import scala.tools.nsc.interpreter.IMain

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.Dataset
import org.json4s.{DefaultFormats, Extraction}
import org.json4s.JsonAST._
import org.json4s.jackson.JsonMethods

/** What is interpreted at a time: whole lines, from `line` on, and the values' names in them. */
final case class Segment(code: String, line: Int, names: List[String])

/** Cuts code where the interpreter would be given the next line. */
final class Reader(val main: IMain) {
  import main.global._

  /** None where more lines are needed; no trees where it is no Scala. */
  def parse(code: String): Option[Either[Unit, List[Tree]]] = {
    val before = settings.Yrangepos.value
    var isIncomplete = false
    settings.Yrangepos.value = true
    reporter.reset()
    try currentRun.parsing.withIncompleteHandler((_, _) => isIncomplete = true) {
      val unit = new CompilationUnit(new BatchSourceFile("<console>", code))
      val trees = newUnitParser(unit).parseStats()
      if (reporter.hasErrors) Some(Left(()))
      else if (isIncomplete) None
      else Some(Right(trees))
    } finally {
      settings.Yrangepos.value = before
      reporter.reset()
    }
  }

  private def isDefinition(tree: Tree) = tree match {
    case _: ClassDef | _: ModuleDef | _: DefDef | _: TypeDef => true
    case _ => false
  }

  private def name(tree: Tree): List[Name] = tree match {
    case one: DefTree => List(one.name)
    case _ => Nil
  }

  private case class Piece(trees: List[Tree], firstLine: Int, lastLine: Int) {
    def joined(next: Piece): Piece = Piece(trees ++ next.trees, firstLine, next.lastLine)
    /** Definitions may refer to each other, and a class to its companion. */
    def belongsTo(next: Piece): Boolean = {
      val names = (trees ++ next.trees).flatMap(name)
      (trees ++ next.trees).forall(isDefinition) && names.distinct.size == names.size
    }
  }

  private def pieces(code: String, trees: List[Tree]): List[Piece] = {
    val source = new BatchSourceFile("<console>", code)
    def line(offset: Int) = source.offsetToLine(offset max 0 min (code.length - 1))
    val begun = trees.foldLeft(List.empty[Piece]) { (done, tree) =>
      val (start, end) =
        if (!tree.pos.isDefined) (0, 0)
        else (line(tree.pos.start), line((tree.pos.end - 1) max tree.pos.start))
      done match {
        case last :: rest if start <= last.lastLine =>
          Piece(last.trees :+ tree, last.firstLine, end max last.lastLine) :: rest
        case _ =>
          Piece(List(tree), done.headOption.fold(0)(_.lastLine + 1), end) :: done
      }
    }
    begun.reverse match {
      case Nil => Nil
      case all => all.init :+ all.last.copy(lastLine = line(code.length - 1))
    }
  }

  /** As few as keep what is shown: a result for each expression that begins a line. */
  def segments(code: String, firstLine: Int, trees: List[Tree]): List[Segment] = {
    val lines = code.split("\n", -1)
    def text(piece: Piece) = lines.slice(piece.firstLine, piece.lastLine + 1).mkString("\n")
    // a tree may end before its last parenthesis: then its lines are not whole
    def isWhole(piece: Piece) = parse(text(piece)).exists(
      _.fold(_ => false, _.size == piece.trees.size))
    val joined = pieces(code, trees).foldLeft(List.empty[Piece]) { (done, piece) =>
      done match {
        case last :: rest if !isWhole(last) || last.belongsTo(piece) =>
          last.joined(piece) :: rest
        case _ => piece :: done
      }
    }.reverse
    val whole = if (joined.forall(isWhole)) joined else List(joined.reduce(_ joined _))
    whole.map(piece => Segment(
      text(piece), firstLine + piece.firstLine,
      piece.trees.collect { case one: ValOrDefDef => one.name.decodedName.toString.trim }))
  }
}

/** What stands behind `%json` and `%table`. */
object Shown {
  final class TypesDiffer extends Exception

  private implicit val formats: DefaultFormats.type = DefaultFormats

  def json(value: Any): JValue = value match {
    case one: RDD[_] => Extraction.decompose(one.take(10))
    case one: Dataset[_] => JArray(one.toJSON.take(10).toList.map(JsonMethods.parse(_)))
    case other => Extraction.decompose(other)
  }

  private def typeName(value: JValue): String = value match {
    case JNothing | JNull => "NULL_TYPE"
    case JBool(_) => "BOOLEAN_TYPE"
    case JString(_) => "STRING_TYPE"
    case JInt(_) | JLong(_) => "BIGINT_TYPE"
    case JDouble(_) => "DOUBLE_TYPE"
    case JDecimal(_) => "DECIMAL_TYPE"
    case JObject(fields) => ofOneType(fields.map(_._2)); "MAP_TYPE"
    case other => ofOneType(other.children); "ARRAY_TYPE"
  }

  private def ofOneType(values: List[JValue]): Unit =
    if (values.map(typeName).distinct.size > 1) throw new TypesDiffer

  private def columns(row: JValue): List[(String, JValue)] = row match {
    case JObject(fields) => fields.sortBy(_._1)
    case JArray(values) => values.zipWithIndex.map { case (value, at) => (at.toString, value) }
    case value => List(("0", value))
  }

  def table(value: JValue): JValue = {
    val rows = (value match {
      case JArray(values) => values
      case one => List(one)
    }).map(columns)
    val headers = rows.flatten.map { case (name, cell) => (name, typeName(cell)) }.distinct
    if (headers.map(_._1).distinct.size < headers.size) throw new TypesDiffer
    JObject(
      "headers" -> JArray(headers.sortBy(_._1).map { case (name, kind) =>
        JObject("type" -> JString(kind), "name" -> JString(name)) }),
      "data" -> JArray(rows.map(row => JArray(row.map(_._2)))))
  }

  def text(value: JValue): String = JsonMethods.compact(value match {
    case JNothing => JNull
    case other => JsonMethods.render(other)
  })
}

/** Where a value is found in the classes of the line that has defined it. */
final class Place(path: String) {
  def value(loader: ClassLoader): Any = {
    // such as $line3.$read.INSTANCE.$iw.$iw.`x`: no user's name has a backtick
    val Array(wrappers, name) = path.stripSuffix("`").split("`", 2)
    val Array(line, holder, members @ _*) = wrappers.split("\\.")
    val outer = Class.forName(s"$line.$holder$$", true, loader)
    (members :+ name).foldLeft(outer.getField("MODULE$").get(null)) { (on, member) =>
      val method = on.getClass.getMethod(scala.reflect.NameTransformer.encode(member))
      method.setAccessible(true)
      method.invoke(on)
    }
  }
}

/** What 2.13 shows of definitions, as 2.12 did, which is what clients know. */
object Echo {
  def apply(text: String, names: List[String]): String = {
    val defined = text.replaceAll("(?m)^(class|trait|object) (?=\\S+$)", "defined $1 ")
      .replaceAll("(?m)^type (?=\\S+$)", "defined type alias ")
    names.foldLeft((defined, 0)) { case ((shown, from), name) =>
      val found = s"(?m)^(?:lazy val|val|var) (${quote(name)}: )".r.pattern.matcher(shown)
      if (!found.find(from)) (shown, from)
      else {
        val rest = shown.substring(found.end).replaceFirst(
          "^(.*) // unevaluated(?=\n)", "$1 = <lazy>")
        (shown.substring(0, found.start) + found.group(1) + rest,
          found.start + found.group(1).length)
      }
    }._1
  }
}

/** What 2.13 says of errors, as 2.12 did: the place, the words, the line, a caret. */
object Messages {
  private val head = "On line (\\d+): (.*)".r
  private val margin = " " * 7

  def relocated(text: String, line: Int): String = {
    val lines = text.split("\n", -1).toVector
    val heads = lines.indices.filter(at => at >= 2 && head.pattern.matcher(lines(at)).matches)
    val blocks = heads.zip(heads.drop(1).map(_ - 2) :+ lines.size).map { case (at, limit) =>
      val words = lines.slice(at + 1, limit).takeWhile(_.startsWith(margin))
      val head(number, message) = lines(at)
      (at - 2, at + 1 + words.size, s"<console>:${number.toInt - 1 + line}: $message" +:
        (words.map(_.stripPrefix(margin)) ++ lines.slice(at - 2, at)))
    }
    val (done, from) = blocks.foldLeft((Vector.empty[String], 0)) {
      case ((said, last), (start, end, block)) => (said ++ lines.slice(last, start) ++ block, end)
    }
    (done ++ lines.drop(from)).mkString("\n")
  }
}
