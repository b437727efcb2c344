"""Invented names and e-mail addresses for simulated employees; the demos' raw files have them too."""

import unicodedata
from collections.abc import Iterable

import numpy as np
import pandas as pd

from analysis.plan.probability import rng

GIVEN = """
Ada Adaeze Aiko Ailsa Aino Alba Aleksander Alma Amara Amélie Amina Ana Anders Andrea Anika Anneli Antoine Aoife Arjun
Arne Arturo Asha Astrid Aylin Ayo Azra Beatriz Ben Bjørn Bogdan Branka Brigid Bruno Camille Carmen Catriona Cem Chiara
Chidi Chloé Clara Cyril Dagny Daiki Dalia Damir Darya Deniz Dilan Dmitri Duarte Edda Eero Eilidh Einar Elena Elif Elodie
Emeka Emre Enzo Erik Esra Eszter Ewa Fabio Farah Fatima Fergus Filip Finn Florian Frida Gábor Gaël Georgi Gesa Giulia
Gustav Hamza Hana Haruto Heike Henrik Hugo Ida Ifeoma Ignacio Ilse Imani Imre Ines Ingrid Ioana Irina Isabel Ivo Jana
Jarek Javier Jin Joana João Jonas Jorge Joris Jules Juna Kaan Kaja Kamal Karim Katja Kazuo Keiko Kemal Kiran Kjell
Klára Kofi Lale Lara Lars Lena Leona Liam Linnea Lior Livia Lotte Luca Lucía Lukas Lwazi Maëlle Magnus Mahmud Maja
Malik Manon Mara Marek Margit Marta Matteo Mei Mika Milan Mina Miriam Mirko Nadia Naoki Nasrin Neele Nia Niamh Nikolai
Nils Noor Nuno Ola Olga Omar Orla Oscar Otto Pavel Petra Philippa Pia Priya Rahul Raisa Ravi Renata Rohan Rosa Rune
Ruth Sadia Salma Samir Sanne Saoirse Selim Sena Silje Simone Siobhán Sofia Sora Stefan Sunniva Svea Takumi Tamar Tariq
Tess Theo Tilda Timo Tomás Tuva Uma Ursula Valeria Vera Vidar Vikram Wanda Wilma Yara Yasmin Yusuf Zainab Zoë Zoran
""".split()  # noqa: SIM905 (one name a line would be 200 lines)
FAMILY = [
    *("van Dijk", "de Souza", "O'Brien", "dos Santos", "von Berg", "Al-Amin", "Le Goff", "Mac Donald", "da Costa"),
    *"""
Aalto Abebe Adeyemi Ahlgren Albrecht Almeida Andersen Antal Arslan Asante Aydın Bachmann Bakker Balogh Banerjee Barros
Becker Belaid Bellini Benali Berglund Bianchi Bjerke Blom Böhm Bonnet Boateng Brandt Brennan Byrne Calder Campos
Carvalho Çelik Chandra Chen Chowdhury Christensen Clarke Cruz Cunha Dahl Dąbrowski Delgado Demir Desai Diallo Diaz
Dimitrov Doyle Drăgan Dubois Dvořák Eide Ekström Engel Eriksen Esposito Fässler Falk Farkas Ferrari Fischer Flores
Fontaine Forsberg Fraser Friis Fujita Gallagher Garcia Georgiou Ghosh Gomes Gorski Graf Greco Grimm Guerra Haddad
Hakimi Hansen Hartmann Haugen Hayashi Herrera Hofer Holm Horvat Hossain Ibarra Ibrahim Iglesias Inoue Ivanov Iyer
Jansen Järvinen Jensen Johansson Jovanović Kaiser Kaplan Karlsson Kaur Keller Khalil Khan Kimura Kjær Klein Kovács
Kowalski Krüger Kumar Kurt Lagerfeld Lang Larsen Laurent Lehtonen Leroy Lewandowski Lindqvist Lopes Lorenz Lund
Machado Maier Mancini Marino Martel Matsuda Mehta Mendes Menon Meyer Mikkelsen Molnár Monteiro Mora Moreau Moretti
Morgan Müller Murphy Mwangi Nakamura Navarro Neumann Nguyen Nielsen Nikolaidis Nkosi Novák Nowak Nyström Öberg Odhiambo
Okafor Olsen Onyango Ortiz Osei Øvergård Özdemir Pagano Papadakis Park Patel Pedersen Perrin Petrov Pham Pinto Popescu
Quinn Rahman Ramos Rao Rasmussen Reyes Ricci Richter Rinaldi Roux Ruiz Şahin Saito Salazar Santoro Sato Sauer Schäfer
Schmitt Schreiber Seppälä Serrano Sharma Silva Singh Soler Sørensen Steiner Strand Suárez Suzuki Svensson Szabó Tanaka
Tanner Tavares Thomsen Toth Tran Ueda Ulrich Valdez Vargas Varga Vasquez Vega Villanueva Virtanen Vogel Wagner Wallin
Walsh Watanabe Weber Weiss Winter Wolff Wójcik Yamada Yıldız Zanetti Zhang Zimmer
""".split(),  # noqa: SIM905
]
_ASCII = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "æ": "ae", "ı": "i", "đ": "d", "ä": "ae", "ö": "oe", "ü": "ue", "å": "aa"}
)


def people(scenario_name: str, employee_ids: Iterable[str]) -> pd.DataFrame:
    """Return a name and an e-mail address for every employee.

    Parameters
    ----------
    employee_ids
        Everybody in the company, in any order and as often as may be; of a part of them, the names would differ.

    Returns
    -------
    pandas.DataFrame
        One row per person, by id: ``employee_id``, ``first_name``, ``last_name`` (no two people share both) and
        ``email`` (unique). No name holds a comma.

    Raises
    ------
    ValueError
        There are more people than names.
    """
    ids = sorted(set(employee_ids))
    picks = rng(scenario_name, "names").choice(len(GIVEN) * len(FAMILY), len(ids), replace=False)
    first, last = np.array(GIVEN)[picks % len(GIVEN)], np.array(FAMILY)[picks // len(GIVEN)]
    frame = pd.DataFrame({"employee_id": ids, "first_name": first, "last_name": last}, dtype="str")
    return frame.assign(email=_emails(frame, f"{scenario_name.replace('_', '-')}.example"))


def _emails(frame: pd.DataFrame, domain: str) -> pd.Series:
    local = [f"{_ascii(a)}.{_ascii(b)}" for a, b in zip(frame["first_name"], frame["last_name"], strict=True)]
    before = pd.Series(local, dtype="str").groupby(local).cumcount()
    return pd.Series(
        [f"{name}{n + 1 if n else ''}@{domain}" for name, n in zip(local, before, strict=True)], dtype="str"
    )


def _ascii(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name.casefold().translate(_ASCII)).encode("ascii", "ignore").decode()
    return "".join(letter for letter in folded if letter.isalnum() or letter == "-")
